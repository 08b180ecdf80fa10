import { type Context, propagation, type TextMapGetter, type TextMapPropagator } from '@opentelemetry/api'
import { tagBaggageKey } from '../names.ts'
import { tagReader } from './tag.ts'

/** A tag that nobody has signed, or a stale one, ends here: what this service calls does not see it. */
export function stripTags(propagator: TextMapPropagator, key: string): TextMapPropagator {
  const read = tagReader(key)
  return {
    inject: propagator.inject.bind(propagator),
    fields: () => propagator.fields(),
    extract<Carrier>(context: Context, carrier: Carrier, getter: TextMapGetter<Carrier>) {
      const extracted = propagator.extract(context, carrier, getter)
      const baggage = propagation.getBaggage(extracted)
      const token = baggage?.getEntry(tagBaggageKey)?.value
      if (token === undefined || read(token) !== undefined) return extracted
      return propagation.setBaggage(extracted, baggage!.removeEntry(tagBaggageKey))
    },
  }
}

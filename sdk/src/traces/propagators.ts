import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from '@opentelemetry/api'
import { B3Propagator } from './b3.ts'
import { W3cPropagator } from './propagation.ts'

export const propagatorNames = ['tracecontext', 'baggage', 'b3', 'b3multi'] as const
export type PropagatorName = (typeof propagatorNames)[number]

/** The propagators of `OTEL_PROPAGATORS`, as one. */
export function propagatorOf(names: readonly PropagatorName[]): TextMapPropagator {
  const others = names.filter(name => name === 'b3' || name === 'b3multi').map(name => new B3Propagator(name))
  const w3c = new W3cPropagator(names)
  return others.length === 0 ? w3c : new Propagators([...others, w3c])
}

/** Every propagator writes its headers; of several that find a caller the last one decides, so that W3C's does. */
class Propagators implements TextMapPropagator {
  readonly #all: readonly TextMapPropagator[]

  constructor(all: readonly TextMapPropagator[]) {
    this.#all = all
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    for (const one of this.#all) one.inject(context, carrier, setter)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    return this.#all.reduce((found, one) => one.extract(found, carrier, getter), context)
  }

  fields(): string[] {
    return this.#all.flatMap(one => one.fields())
  }
}

import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { Redaction } from '../redaction.ts'
import { ServiceResource } from '../resource.ts'
import { httpScope, SpanProvider } from './tracer.ts'

const limits = {
  attributeCount: 10,
  attributeLength: 10,
  eventCount: 1,
  eventAttributeCount: 9,
  linkCount: 1,
  linkAttributeCount: 9,
}
const redaction = new Redaction({ credentials: true, cards: true, emails: false, names: [] })
const sink = { resource: new ServiceResource({}), limits, redaction, started() {}, ended() {} }

test("a user's own sampler that throws is said, and the configured one decides", () => {
  const lines: string[] = []
  const broken = {
    shouldSample() {
      throw new Error('no idea')
    },
  }
  const provider = new SpanProvider(sink, { decide: () => true, own: broken }, line => lines.push(line))
  expect(provider.start(httpScope, 'GET', SpanKind.SERVER, ROOT_CONTEXT).isSampled()).toBe(true)
  expect(lines).toEqual(['the span sampler threw: Error: no idea'])
})

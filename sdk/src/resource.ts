import type { Attributes } from '@opentelemetry/api'

/** What made it: an instrumentation, or a library. */
export interface Scope {
  name: string
  version?: string
  schemaUrl?: string
}

/** Who sends: the attributes of `service.name` and its like, in the shape that OpenTelemetry exporters read. */
export class ServiceResource {
  readonly attributes: Attributes
  readonly asyncAttributesPending = false
  readonly schemaUrl: string | undefined = undefined

  constructor(attributes: Attributes) {
    this.attributes = attributes
  }

  merge(other: { attributes: Attributes } | null): ServiceResource {
    return new ServiceResource({ ...this.attributes, ...other?.attributes })
  }

  getRawAttributes(): [string, Attributes[string]][] {
    return Object.entries(this.attributes)
  }

  async waitForAsyncAttributes(): Promise<void> {}
}

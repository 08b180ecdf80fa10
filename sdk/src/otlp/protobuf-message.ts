import type { Scope } from '../resource.ts'
import { ProtobufWriter } from './protobuf.ts'

export function attributes(
  to: ProtobufWriter,
  field: number,
  values: Readonly<Record<string, unknown>>,
  depth = 8,
): void {
  for (const key of Object.keys(values)) {
    const value = values[key]
    if (value === undefined) continue
    const pair = to.openSmall(field)
    to.string(1, key)
    const message = to.openSmall(2)
    anyValue(to, value, depth)
    to.closeSmall(message)
    to.closeSmall(pair)
  }
}

/** An `AnyValue`; what is nested too deep is left out. */
export function anyValue(to: ProtobufWriter, value: unknown, depth = 8): void {
  if (typeof value === 'string') to.string(1, value)
  else if (typeof value === 'boolean') to.unsigned(2, value ? 1 : 0)
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) to.signed(3, value)
    else to.double(4, value)
  } else if (Array.isArray(value)) {
    const array = to.open(5)
    for (const item of depth === 0 ? [] : value) {
      const element = to.open(1)
      anyValue(to, item, depth - 1)
      to.close(element)
    }
    to.close(array)
  } else if (typeof value === 'object' && value !== null && depth > 0) {
    const list = to.open(6)
    attributes(to, 1, value as Record<string, unknown>, depth - 1)
    to.close(list)
  }
}

/** The request of any signal: its one resource, and the items by their scopes. */
export function encodeOfResource<Item extends { scope: Scope }>(
  resource: Readonly<Record<string, unknown>>,
  items: readonly Item[],
  write: (to: ProtobufWriter, item: Item) => void,
  capacity?: number,
): Buffer {
  const to = new ProtobufWriter(capacity)
  const ofResource = to.open(1)
  const resourceMessage = to.open(1)
  attributes(to, 1, resource)
  to.close(resourceMessage)
  for (const [scope, ofScope] of Map.groupBy(items, item => item.scope)) {
    const message = to.open(2)
    const scopeMessage = to.open(1)
    to.string(1, scope.name)
    if (scope.version) to.string(2, scope.version)
    to.close(scopeMessage)
    for (const item of ofScope) write(to, item)
    if (scope.schemaUrl) to.string(3, scope.schemaUrl)
    to.close(message)
  }
  to.close(ofResource)
  return to.finish()
}

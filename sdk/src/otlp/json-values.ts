export function keyValues(values: Readonly<Record<string, unknown>>, depth = 8) {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value, depth) }],
  )
}

/** An `AnyValue`; what is nested too deep is left out. */
export function anyValue(value: unknown, depth = 8): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return { intValue: String(value) }
    // JSON has no number for these; protobuf's JSON writes their names.
    return { doubleValue: Number.isFinite(value) ? value : String(value) }
  }
  if (Array.isArray(value))
    return { arrayValue: { values: depth === 0 ? [] : value.map(item => anyValue(item, depth - 1)) } }
  if (typeof value !== 'object' || value === null || depth === 0) return {}
  return { kvlistValue: { values: keyValues(value as Record<string, unknown>, depth - 1) } }
}

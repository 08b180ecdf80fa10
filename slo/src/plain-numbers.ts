/** Four significant digits at most. */
export function round(value: number): string {
  return String(Number(value.toPrecision(4)))
}

export function percent(ratio: number): string {
  return `${round(ratio * 100)} %`
}

/** Whole events, the thousands apart, and small numbers as they are. */
export function count(events: number): string {
  return events < 100 ? round(events) : Math.round(events).toLocaleString('en-US')
}

/** Periods of a calendar: of so many months, or of a fixed length, each beginning where the last one ends. */
export interface Calendar {
  /** When one of the periods begins, as the zone's clocks show it: `2022-01-01 12:00:00`. */
  startTime: string
  /** e.g. `America/New_York`. */
  timeZone: string
  /** Months a period; absent where its length is fixed, and then it is the objective's window. */
  months: number | undefined
}

const days = 86_400
/** The months that a unit of OpenSLO's durations has, and how long they usually are, in days. */
const monthUnits = { M: { months: 1, days: 30 }, Q: { months: 3, days: 90 }, Y: { months: 12, days: 365 } } as const

/** A duration such as `2M` in months, and in ms as long as it usually is. */
export function monthsOf(duration: string): { months: number; windowMs: number } | undefined {
  const unit = monthUnits[duration.at(-1) as keyof typeof monthUnits]
  const count = Number.parseInt(duration, 10)
  return unit && { months: unit.months * count, windowMs: unit.days * count * days * 1000 }
}

/**
 * The instant that a clock in a time zone showed as `2022-01-01 12:00:00`, in seconds since 1970; of a time that was skipped
 * or shown twice, one of those near. `undefined` for a date that does not exist.
 * @throws RangeError for a time zone that is not known.
 */
export function instantOf(startTime: string, timeZone: string): number | undefined {
  const parts = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(startTime)
  if (!parts) return undefined
  const utc = Date.parse(`${startTime.replace(' ', 'T')}Z`)
  // `Date` takes 2022-02-30 for the second of March.
  if (Number.isNaN(utc) || new Date(utc).getUTCDate() !== Number(parts[3])) return undefined
  const guess = utc - offsetAt(utc, timeZone)
  return (utc - offsetAt(guess, timeZone)) / 1000
}

/** How far the clocks of a time zone are ahead of UTC at an instant; all three in ms. */
function offsetAt(instant: number, timeZone: string): number {
  const options = { timeZone, hourCycle: 'h23', dateStyle: 'short', timeStyle: 'medium' } as const
  const shown = new Intl.DateTimeFormat('sv-SE', options).format(instant)
  return Date.parse(`${shown.replace(' ', 'T')}Z`) - instant
}

/**
 * PromQL for the beginning of the period in which it is evaluated, in seconds since 1970. A zone's clocks may change, which
 * Prometheus knows nothing of: periods begin by those of `startTime`.
 */
export function periodStart({ startTime, timeZone, months }: Calendar, windowMs: number): string {
  const anchor = instantOf(startTime, timeZone)!
  if (months === undefined) {
    const length = windowMs / 1000
    // The last beginning before 1970, so that what is divided is not negative.
    return `vector(time() - (time() + ${length - (anchor % length)}) % ${length})`
  }
  const [year, month] = startTime.split('-').map(Number) as [number, number]
  // So long after the beginning of its month in UTC, or before it. What is shifted back by it, begins with the month.
  const shift = anchor - Date.UTC(year, month - 1) / 1000
  const shifted = `vector(time() - ${shift})`
  const now = `(year(${shifted}) * 12 + month(${shifted}) - 1)`
  // Counted from March, so that the odd day of a leap year is a year's last. Days from there as in the proleptic calendar.
  const march = `(${now} - (${now} - ${(year * 12 + month - 1) % months}) % ${months} - 2)`
  const years = `floor(${march} / 12)`
  const daysUntil =
    `365 * ${years} + floor(${years} / 4) - floor(${years} / 100) + floor(${years} / 400) + ` +
    `floor((153 * (${march} % 12) + 2) / 5) - 719468`
  return `(${daysUntil}) * ${days} + ${shift}`
}

/** The longest that a period may be, in ms. */
export function longestMs({ months }: Calendar, windowMs: number): number {
  return months === undefined ? windowMs : months * 31 * days * 1000
}

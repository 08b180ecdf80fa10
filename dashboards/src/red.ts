import { label, metric } from '@shaketable/sdk/names'
import { rate } from './scraped.ts'

/** The histogram of requests served, and that of calls made. */
export const served = metric.httpServerDuration
export const called = metric.httpClientDuration

/** An answer of 5xx, or none. */
const failed = `${label.status}=~"5..|"`

/** Requests a second. */
export function requestRate(histogram: string, by: string, matchers: string): string {
  return `sum by (${by}) (rate(${histogram}_count{${matchers}}${rate}))`
}

/** The share that failed: 0 while none did, nothing while there were no requests. */
export function failedShare(histogram: string, by: string, matchers: string): string {
  const all = requestRate(histogram, by, matchers)
  return `(${requestRate(histogram, by, `${matchers},${failed}`)} or 0 * ${all}) / (${all} > 0)`
}

/** A quantile of the durations, in seconds. */
export function duration(quantile: number, histogram: string, by: string[], matchers: string): string {
  const groups = ['le', ...by].join(', ')
  return `histogram_quantile(${quantile}, sum by (${groups}) (rate(${histogram}_bucket{${matchers}}${rate})))`
}

/** From where a share of failures is worth a look, and from where it is trouble. */
export const failedLines = [
  { value: 0.01, color: 'orange' },
  { value: 0.05, color: 'red' },
]

import { pino } from 'pino'

/** The service's logger. The SDK adds `trace_id` and `span_id` to each line. */
export const log = pino({ level: process.env.LOG_LEVEL ?? 'info' })

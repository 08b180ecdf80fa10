/** Each has a section in docs/troubleshooting.md. They never change their meaning. */
export const findingCodes = [
  'SHAKETABLE_API_COPIES',
  'SHAKETABLE_APP_FAILED',
  'SHAKETABLE_APP_KILLED',
  'SHAKETABLE_APP_SILENT',
  'SHAKETABLE_BUNDLED',
  'SHAKETABLE_FLAG_MISSING',
  'SHAKETABLE_LOADED_TOO_EARLY',
  'SHAKETABLE_LOGS_NOT_DELIVERED',
  'SHAKETABLE_LOGS_UNTRACED',
  'SHAKETABLE_METRICS_NOT_DELIVERED',
  'SHAKETABLE_METRICS_OFF',
  'SHAKETABLE_METRICS_UNREACHABLE',
  'SHAKETABLE_NODE_UNSUPPORTED',
  'SHAKETABLE_NOT_INSTRUMENTED',
  'SHAKETABLE_NO_NODE',
  'SHAKETABLE_OTHER_SDK',
  'SHAKETABLE_PORT_TAKEN',
  'SHAKETABLE_SDK_DISABLED',
  'SHAKETABLE_SDK_FAILED',
  'SHAKETABLE_SERVICE_UNNAMED',
  'SHAKETABLE_TRACES_NOT_DELIVERED',
  'SHAKETABLE_TRACES_OFF',
  'SHAKETABLE_VARIABLE_IGNORED',
  'SHAKETABLE_VARIABLE_REFUSED',
  'SHAKETABLE_VARIABLE_UNKNOWN',
] as const

export interface Finding {
  code: (typeof findingCodes)[number]
  /** A `problem` makes the exit code 1; a `note` may be as you want it. */
  level: 'problem' | 'note'
  message: string
  /** What to do next. */
  advice: string
}

export function problem(code: Finding['code'], message: string, advice: string): Finding {
  return { code, level: 'problem', message, advice }
}

export function note(code: Finding['code'], message: string, advice: string): Finding {
  return { code, level: 'note', message, advice }
}

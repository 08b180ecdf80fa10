const telling = /pass|secret|token|key|credential|cookie|auth/i

/** A value as it may be shown: hidden where its name says that it is a secret. */
export const shown = (name: string, value: string): string => (telling.test(name) ? '…' : value)

/** The same for many, by name. */
export const allShown = (values: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, shown(name, value)]))

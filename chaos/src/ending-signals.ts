/** The signals that end a command after it has undone everything, each with its exit code: 128 and the signal's number. */
export const endingSignals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

export type EndingSignal = keyof typeof endingSignals

/** The exit code for a world's signal, `undefined` as long as nothing has asked for the end. */
export function exitCodeOf({ aborted, reason }: AbortSignal): number | undefined {
  return aborted ? endingSignals[reason as EndingSignal] : undefined
}

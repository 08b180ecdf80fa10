/** Exit codes of every command; of several results the gravest wins: 4 > 70 > 1 > 5 > 3. */
export const exitCode = {
  pass: 0,
  fail: 1,
  invalidInput: 2,
  inconclusive: 3,
  notUndone: 4,
  void: 5,
  ownError: 70,
} as const

/** Where in a file something stands; line and column count from 1. */
export interface Place {
  file: string
  line: number
  column: number
}

/** One thing wrong with an input file. */
export interface Problem extends Place {
  /** What was seen and what was expected, in one sentence. */
  message: string
  /** What to do next. */
  hint?: string
}

/**
 * Every error that a user may meet. Match on `code`, never on the message; the message says what happened, what was
 * seen and what was expected, and `hint` is the next thing to do. Formatted once, at the edge of the process.
 */
export class ShaketableError extends Error {
  readonly code: `SHAKETABLE_${string}`
  readonly exitCode: number
  readonly hint: string | undefined

  constructor(
    code: `SHAKETABLE_${string}`,
    message: string,
    options: { exitCode?: number; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ShaketableError'
    this.code = code
    this.exitCode = options.exitCode ?? exitCode.ownError
    this.hint = options.hint
  }
}

/** Input files that cannot be used: all their problems at once, each with file:line:column. Exit code 2. */
export class InvalidInput extends ShaketableError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super('SHAKETABLE_INVALID_INPUT', problems.map(formatProblem).join('\n'), { exitCode: exitCode.invalidInput })
    this.problems = problems
  }
}

/** `file:line:column: message`, and the hint on a line of its own. */
export function formatProblem(problem: Problem): string {
  const line = `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`
  return problem.hint ? `${line}\n  hint: ${problem.hint}` : line
}

import type { SdkState } from '../seen.ts'
import { type Finding, problem } from './finding.ts'

export function variables(sdk: SdkState): Finding[] {
  return sdk.variables.map(one => {
    if (one.kind === 'refused') {
      return problem('SHAKETABLE_VARIABLE_REFUSED', one.line, 'correct the value, or take the variable away')
    }
    if (one.kind === 'ignored') {
      return problem(
        'SHAKETABLE_VARIABLE_IGNORED',
        `${one.name} has no effect here`,
        'take it away; the README of @shaketable/sdk lists what is honoured, and what it needs beside it',
      )
    }
    return problem(
      'SHAKETABLE_VARIABLE_UNKNOWN',
      `${one.name} is not known, and has no effect`,
      one.nearest ? `did you mean ${one.nearest}?` : 'take it away, or correct its name',
    )
  })
}

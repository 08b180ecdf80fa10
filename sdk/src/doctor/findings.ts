import { appsOf, type Examination } from './examination.ts'
import { apiCopies } from './findings/api-copies.ts'
import { delivery } from './findings/delivery.ts'
import { ending } from './findings/ending.ts'
import type { Finding } from './findings/finding.ts'
import { libraries } from './findings/libraries.ts'
import { nodeVersion, withoutSdk } from './findings/start.ts'
import { variables } from './findings/variables.ts'
import { firstOf } from './seen.ts'

/** What is wrong, and what to do, in the order in which one would look; each thing once, however many processes say it. */
export function findings(examination: Examination): Finding[] {
  const apps = appsOf(examination.processes)
  const instrumented = apps.filter(app => firstOf(app, 'sdk'))
  const found = [
    ...(instrumented.length === 0 ? withoutSdk(examination, apps) : []),
    ...instrumented.flatMap(app => [
      ...nodeVersion(app),
      ...libraries(app, examination.command),
      ...apiCopies(app),
      ...delivery(app, examination),
      ...variables(firstOf(app, 'sdk')!),
    ]),
    ...ending(examination, apps),
  ]
  return [...new Map(found.map(one => [`${one.code} ${one.message}`, one])).values()]
}

import { firstOf, loadedApis, type SeenProcess } from '../seen.ts'
import { type Finding, note, problem } from './finding.ts'
import { otherSdk } from './libraries.ts'

/** Whether each copy of the API leads to the SDK. */
export function apiCopies(app: SeenProcess): Finding[] {
  const { apiVersion, apiRegistered } = firstOf(app, 'sdk')!
  const copies = loadedApis(app)
  const deaf = copies.filter(copy => !reaches(copy.version, apiVersion))
  const found: Finding[] = apiRegistered ? [] : [otherSdk('another OpenTelemetry SDK was registered first')]
  for (const copy of deaf) {
    found.push(
      problem(
        'SHAKETABLE_API_COPIES',
        `@opentelemetry/api ${copy.version} in ${copy.folder} does not reach the SDK, which registered with ${apiVersion}: spans made through that copy are lost`,
        `npm install @opentelemetry/api@${copy.version} beside @shaketable/sdk, then npm dedupe`,
      ),
    )
  }
  if (deaf.length === 0 && copies.length > 1) {
    const where = copies.map(copy => `${copy.version} in ${copy.folder}`).join(', ')
    found.push(
      note(
        'SHAKETABLE_API_COPIES',
        `${copies.length} copies of @opentelemetry/api, which work together: ${where}`,
        'npm dedupe',
      ),
    )
  }
  return found
}

/** The API's own rule: the same major, and a minor that is not newer than that of the copy which registered. */
function reaches(version: string, registered: string): boolean {
  const [major, minor = 0] = version.split('.').map(Number)
  const [registeredMajor, registeredMinor = 0] = registered.split('.').map(Number)
  return major === registeredMajor && minor <= registeredMinor
}

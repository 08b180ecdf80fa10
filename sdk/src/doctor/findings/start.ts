import type { Examination } from '../examination.ts'
import { firstOf, type SeenProcess } from '../seen.ts'
import { type Finding, problem } from './finding.ts'

export const registerFlag = '--import @shaketable/sdk/register'

export const isRegistered = (flags: string) => /@shaketable\/sdk\S*register/.test(flags)

/** Why the SDK does not run in any process of the command. */
export function withoutSdk({ command, end }: Examination, apps: readonly SeenProcess[]): Finding[] {
  const started = apps.map(app => firstOf(app, 'process')!)
  if (started.length === 0) {
    return [
      problem(
        'SHAKETABLE_NO_NODE',
        `${command[0]} started no Node process that the doctor could look into`,
        'name the command that starts Node itself; inside a container, run the doctor there',
      ),
    ]
  }
  const old = apps.flatMap(nodeVersion)
  if (old.length > 0) return old
  if (started.some(one => one.disabled)) {
    return [
      problem(
        'SHAKETABLE_SDK_DISABLED',
        'OTEL_SDK_DISABLED=true switches the SDK off: nothing is traced or measured',
        'take the variable away where you want telemetry',
      ),
    ]
  }
  if (started.some(one => isRegistered(one.flags))) {
    const said = /^shaketable: (the SDK cannot start.*)$/m.exec(end.lastWords)?.[1]
    return [
      problem(
        'SHAKETABLE_SDK_FAILED',
        `the flag is there, but the SDK did not start${said ? `: ${said}` : ''}`,
        'the app says why on stderr: run the doctor again with --show-output',
      ),
    ]
  }
  return [problem('SHAKETABLE_FLAG_MISSING', 'the SDK is not loaded by this command', flagAdvice(command))]
}

function flagAdvice(command: readonly string[]): string {
  const [program = '', ...rest] = command
  if (/(^|[\\/])node(\.exe)?$/.test(program)) return `start it so: ${[program, registerFlag, ...rest].join(' ')}`
  return `add it to the node command that ${program} runs, or start it so: NODE_OPTIONS='${registerFlag.replace(' ', '=')}' ${command.join(' ')}`
}

/** The `engines` of this package. */
function isSupported(nodeVersion: string): boolean {
  const [major = 0, minor = 0, patch = 0] = nodeVersion.split('.').map(part => Number.parseInt(part, 10))
  const atLeast = (a: number, b: number) => minor > a || (minor === a && patch >= b)
  return (major === 22 && atLeast(22, 3)) || (major === 24 && atLeast(11, 1)) || major >= 26
}

export function nodeVersion(app: SeenProcess): Finding[] {
  const { nodeVersion } = firstOf(app, 'process')!
  if (isSupported(nodeVersion)) return []
  return [
    problem(
      'SHAKETABLE_NODE_UNSUPPORTED',
      `the app runs on Node ${nodeVersion}, and the SDK needs ^22.22.3 || ^24.11.1 || >=26`,
      'run it on a current Node 24',
    ),
  ]
}

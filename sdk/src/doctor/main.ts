import { parseArgs } from 'node:util'
import { type ExamineOptions, examine } from './examine.ts'
import { reportOf, reportText } from './report.ts'

const usage = `usage: shaketable-sdk doctor [options] -- COMMAND...

Starts the command as it is, tells what of it is instrumented and whether its telemetry arrives, and ends it.
It exits with 0 when all is well, 1 when there are problems, 2 when it was called wrongly.

  --json            print the report as JSON
  --show-output     pass the app's own output through, to stderr
  --wait-ms MS      how long the app may take until it listens (10000)
  --grace-ms MS     how long it may take to end after SIGTERM, before it is killed (15000)
  --help
`

const exitCode = { well: 0, problems: 1, wrongUsage: 2, interrupted: 128 } as const
const interrupting = { SIGINT: 2, SIGTERM: 15 } as const

process.exitCode = await run(process.argv.slice(2))

async function run(argv: readonly string[]): Promise<number> {
  const call = readCall(argv)
  if (call === 'help') return say(process.stdout, usage, exitCode.well)
  if ('wrong' in call) return say(process.stderr, `shaketable-sdk: ${call.wrong}\n\n${usage}`, exitCode.wrongUsage)
  const interruption = new AbortController()
  // A terminal sends the signal to npx too, which passes it on: it may come twice.
  for (const signal of Object.keys(interrupting)) process.on(signal, () => interruption.abort(signal))
  try {
    const report = reportOf(await examine({ ...call.options, signal: interruption.signal }))
    if (interruption.signal.aborted) {
      return exitCode.interrupted + interrupting[interruption.signal.reason as keyof typeof interrupting]
    }
    const text = call.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report)
    const well = report.findings.every(one => one.level === 'note')
    return say(process.stdout, text, well ? exitCode.well : exitCode.problems)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'EACCES') throw error
    const why = code === 'ENOENT' ? 'there is no such command' : message
    return say(
      process.stderr,
      `shaketable-sdk: ${call.options.command[0]} cannot be started: ${why}\n`,
      exitCode.wrongUsage,
    )
  }
}

function say(stream: NodeJS.WriteStream, text: string, code: number): number {
  stream.write(text)
  return code
}

type Call = 'help' | { wrong: string } | { options: Omit<ExamineOptions, 'signal'>; json: boolean }

function readCall(argv: readonly string[]): Call {
  const at = argv.indexOf('--')
  const own = at < 0 ? argv : argv.slice(0, at)
  const command = at < 0 ? [] : argv.slice(at + 1)
  try {
    const { values, positionals } = parseArgs({
      args: [...own],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        'show-output': { type: 'boolean', default: false },
        'wait-ms': { type: 'string', default: '10000' },
        'grace-ms': { type: 'string', default: '15000' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return 'help'
    const [name, ...more] = positionals
    if (name !== 'doctor') return { wrong: `expected the command doctor, and saw ${name ?? 'nothing'}` }
    if (more.length > 0) return { wrong: `expected -- before the app's command, and saw ${more[0]}` }
    if (command.length === 0)
      return { wrong: 'expected -- and the command that starts the app: doctor -- node server.js' }
    const waitMs = Number(values['wait-ms'])
    const graceMs = Number(values['grace-ms'])
    if (!(waitMs > 0)) return { wrong: `--wait-ms ${values['wait-ms']}: expected a number of ms above 0` }
    if (!(graceMs > 0)) return { wrong: `--grace-ms ${values['grace-ms']}: expected a number of ms above 0` }
    const output = values['show-output'] ? process.stderr : undefined
    return { options: { command, waitMs, graceMs, output }, json: values.json }
  } catch (error) {
    return { wrong: (error as Error).message }
  }
}

/**
 * `npm run soak:collector [-- --minutes 5 --rate 20]`: the shop behind a real collector that is away for so long. Prints what
 * that cost; exit code 1 if it was more than the spans that found no room.
 */
import { parseArgs } from 'node:util'
import { missed, outage } from './outage.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, rate: { type: 'string', default: '20' } },
})
const [minutes, rate] = [Number(values.minutes), Number(values.rate)]
if (!(minutes > 0) || !(rate > 0)) {
  console.error('expected: soak:collector [--minutes 5] [--rate 20]')
  process.exit(2)
}
const found = await outage({ downMs: minutes * 60_000, upMs: 10_000, rate })
console.log(JSON.stringify(found))
for (const line of missed(found)) console.log(`MISSED: ${line}`)
if (missed(found).length === 0) console.log('all held')
process.exitCode = missed(found).length === 0 ? 0 : 1

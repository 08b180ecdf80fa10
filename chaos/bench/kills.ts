/**
 * `npm run bench:kills -w shaketable [-- --local 100 --docker 25 --seed 9]`: kills (SIGKILL) the runner at seeded random moments of
 * its life, an instance in mid-fault, and a container in mid-fault, and has `sweep` prove each time that nothing is left. Tells each
 * as it comes, and exits 1 where anything is left.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    local: { type: 'string', default: '100' },
    docker: { type: 'string', default: '25' },
    seed: { type: 'string', default: '9' },
  },
})
const house = fileURLToPath(new URL('../..', import.meta.url))

function kill(project: string, ...args: string[]): boolean {
  const env = {
    ...process.env,
    SOAK_KILLS: values.local,
    SOAK_DOCKER_KILLS: values.docker,
    SOAK_SEED: values.seed,
  }
  const { status } = spawnSync('npx', ['vitest', 'run', '--project', project, '--reporter', 'verbose', ...args], {
    cwd: house,
    env,
    stdio: 'inherit',
  })
  return status === 0
}

const began = performance.now()
const local = Number(values.local) === 0 || kill('runs', 'chaos/test/kill-9.test.ts')
const docker =
  Number(values.docker) === 0 || kill('real', 'chaos/test/docker-target.real.test.ts', '-t', 'is killed \\(SIGKILL\\)')
console.log(`local: ${values.local} kills, ${local ? 'nothing left' : 'SOMETHING LEFT'}`)
console.log(`docker: ${values.docker} kills, ${docker ? 'nothing left' : 'SOMETHING LEFT'}`)
console.log(`${((performance.now() - began) / 60_000).toFixed(1)} min`)
process.exitCode = local && docker ? 0 : 1

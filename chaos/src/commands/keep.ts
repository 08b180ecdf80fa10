import { exitCode } from '@shaketable/slo'
import { Command } from 'commander'
import type { World } from '../world.ts'

/** `shaketable keep`: what the Job of a run on Kubernetes runs in the cluster; nobody needs it by hand. */
export function keepCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('keep')
    .description('In a cluster: wait for the end of a run’s lease, and undo what it left. A run starts it as a Job.')
    .requiredOption('--namespace <name>', 'where the lease is')
    .requiredOption('--lease <name>', 'the lease of the run')
    .action(async ({ namespace, lease: name }: { namespace: string; lease: string }) => {
      // The client is large, and loaded only where it is used.
      const { clusterHere } = await import('../targets/kubernetes/cluster.ts')
      const { keepLease } = await import('../targets/kubernetes/cluster-keeper.ts')
      const kept = await keepLease({ namespace, name }, clusterHere(world.env), world.clock, world.signal)
      if (kept.outcome === 'released') {
        world.stdout.write('released: the run has undone everything itself\n')
        return conclude(exitCode.pass)
      }
      for (const line of kept.undone) world.stdout.write(`${line}\n`)
      for (const line of kept.problems) world.stdout.write(`NOT UNDONE: ${line}\n`)
      conclude(kept.problems.length > 0 ? exitCode.notUndone : exitCode.pass)
    })
}

import { describeTarget } from '../target-contract.ts'
import { countReady, never, system, target } from './cluster.ts'

describeTarget('kubernetes', async () => {
  const subject = target()
  return {
    target: subject,
    start: (signal = never) => subject.start(system(), signal),
    service: 'front',
    restartWithinMs: 60_000,
    answers: async instance => {
      const url = subject.urls('front')[subject.instances('front').indexOf(instance)] as string
      return fetch(url, { signal: AbortSignal.timeout(5000) }).then(
        ({ ok }) => ok,
        () => false,
      )
    },
    startsThem: false,
    freezes: false,
    countLeft: async () => 3 - (await countReady('small')),
  }
})

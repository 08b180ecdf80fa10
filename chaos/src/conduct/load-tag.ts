import { signedTag } from '@shaketable/sdk/faults'
import { exitCode, ShaketableError } from '@shaketable/slo'
import type { Experiment, Journey } from '../experiment/model.ts'
import type { Target } from '../targets/target.ts'

/** What the requests of the load bear, so that faults with `traffic: load` strike them and nobody else's. */
export interface LoadTag {
  name: string
  /** Signed: of a tag that is not, the first service takes no notice and hands nothing on. */
  token: string
}

/** Beside the phases: until the system is steady, and the last answers. */
const slackMs = 120_000

/** `undefined` where no fault asks for it; throws `SHAKETABLE_KEYS_DIFFER` where no one key is known by all. */
export function loadTagOf(experiment: Experiment, target: Target, seed: number): LoadTag | undefined {
  const fault = experiment.faults.find(each => 'traffic' in each && each.traffic === 'load')
  if (!fault) return undefined
  const instances = experiment.system.services.flatMap(({ name }) => target.instances(name))
  const keys = new Map(instances.flatMap(({ id, faultControl }) => (faultControl ? [[faultControl.key, id]] : [])))
  const [key, ...others] = keys.keys()
  if (key === undefined || others.length > 0) {
    const { file, line, column } = fault.place
    const whose = [...keys.values()].slice(0, 2).join(' and ')
    const why = key === undefined ? 'no service has fault control' : `${whose} have different keys of fault control`
    throw new ShaketableError(
      'SHAKETABLE_KEYS_DIFFER',
      `${file}:${line}:${column}: ${fault.id}: ${why}; nothing was done`,
      {
        exitCode: exitCode.invalidInput,
        hint: 'traffic: load is signed with one key, which every service that the load comes by has to know (SHAKETABLE_FAULTS_KEY)',
      },
    )
  }
  const { baselineMs, faultMs, recoveryMs } = experiment.phases
  const name = `load-${seed}`
  return { name, token: signedTag(name, key, baselineMs + faultMs + recoveryMs + slackMs) }
}

/** A journey whose requests bear the tag, beside what baggage they have. */
export function tagged(journey: Journey, tag: LoadTag | undefined): Journey {
  if (!tag) return journey
  const member = `shaketable.tag=${tag.token}`
  const steps = journey.steps.map(({ request, ...step }) => {
    const given = Object.entries(request.headers)
    const own = given.filter(([name]) => name.toLowerCase() === 'baggage').map(([, value]) => value)
    const others = given.filter(([name]) => name.toLowerCase() !== 'baggage')
    const headers = { ...Object.fromEntries(others), baggage: [...own, member].join(',') }
    return { ...step, request: { ...request, headers } }
  })
  return { ...journey, steps }
}

import type { EngineAddress } from './engine.ts'
import type { Limits } from './limits.ts'
import type { Membership } from './networks.ts'

/** A container that a run has paused or stopped, or was about to. */
export interface ShakenContainer {
  instance: string
  /** The name that the engine's own tools show. */
  name: string
  container: string
  engine: EngineAddress
  /** From which networks it was taken, or what gives it its limits back; neither: it was paused or stopped. */
  memberships?: Membership[] | undefined
  limits?: Limits | undefined
}

/** What was done to it, whatever else was done to it besides. */
export const shakenKey = ({
  container,
  memberships,
  limits,
}: Pick<ShakenContainer, 'container' | 'memberships' | 'limits'>) =>
  `${container} ${memberships ? 'networks' : limits ? 'limits' : 'state'}`

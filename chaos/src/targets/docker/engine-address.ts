import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { exitCode, ShaketableError } from '@shaketable/slo'
import type { EngineAddress } from './engine.ts'

/** By `DOCKER_HOST` (`unix://`, `tcp://`) and `DOCKER_CERT_PATH`, else the socket of this machine. Contexts are not read. */
export function engineAddress(env: NodeJS.ProcessEnv): EngineAddress {
  const given = env.DOCKER_HOST
  if (!given) {
    const ofUser = join(env.HOME ?? '/', '.docker/run/docker.sock')
    return { socketPath: existsSync(ofUser) ? ofUser : '/var/run/docker.sock' }
  }
  if (given.startsWith('unix:///')) return { socketPath: given.slice('unix://'.length) }
  const { protocol, hostname, port } = URL.parse(given) ?? {}
  if (protocol !== 'tcp:' || !hostname || !port) {
    throw new ShaketableError(
      'SHAKETABLE_NO_ENGINE',
      `DOCKER_HOST: expected unix:///path or tcp://host:port, saw "${given}"`,
      { exitCode: exitCode.invalidInput, hint: 'an engine behind ssh: ssh -L /tmp/docker.sock:/var/run/docker.sock' },
    )
  }
  const wantsTls = Boolean(env.DOCKER_TLS_VERIFY) || env.DOCKER_CERT_PATH !== undefined
  const certificates = env.DOCKER_CERT_PATH ?? join(env.HOME ?? '/', '.docker')
  return { host: hostname, port: Number(port), certificates: wantsTls ? certificates : undefined }
}

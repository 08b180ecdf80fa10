import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Docker from 'dockerode'

/** Where a Docker engine listens. It stands in the journal, so it holds the folder of the certificates and never a key. */
export type EngineAddress =
  | { socketPath: string }
  | { host: string; port: number /** A folder with ca.pem, cert.pem and key.pem. */; certificates: string | undefined }

export function connect(address: EngineAddress): Docker {
  if ('socketPath' in address) return new Docker({ ...address, host: '' })
  const { host, port, certificates } = address
  if (certificates === undefined) return new Docker({ host, port, protocol: 'http' })
  const [ca, cert, key] = ['ca', 'cert', 'key'].map(name => readFileSync(join(certificates, `${name}.pem`), 'utf8'))
  return new Docker({ host, port, protocol: 'https', ca, cert, key })
}

/** The status with which the engine refused a call; `undefined` where it did not answer at all. */
export const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { arch, hostname, release, type } from 'node:os'
import { basename, dirname, join, sep } from 'node:path'
import type { Attributes } from '@opentelemetry/api'
import type { Environment } from '../environment.ts'

/** What detection looks at; nothing of it is on the network. */
export interface Surroundings {
  env: Environment
  /** The service's script, and where the process was started. */
  script: string | undefined
  cwd: string
  hostname: string
  /** Undefined for a file that cannot be read. */
  read(path: string): string | undefined
}

export function surroundingsOf(env: Environment): Surroundings {
  return {
    env,
    script: process.argv[1],
    cwd: process.cwd(),
    hostname: hostname(),
    read(path) {
      try {
        return readFileSync(path, 'utf8')
      } catch {
        return undefined
      }
    },
  }
}

export const detectorNames = ['host', 'os', 'process', 'serviceinstance', 'container', 'kubernetes'] as const
export type DetectorName = (typeof detectorNames)[number]

const detectors: Record<DetectorName, (around: Surroundings) => Attributes> = {
  host: ({ hostname, read }) => ({
    'host.name': hostname,
    'host.arch': architecture(),
    'host.id': read('/etc/machine-id')?.trim() || undefined,
  }),
  os: () => ({ 'os.type': type().toLowerCase().replace('windows_nt', 'windows'), 'os.version': release() }),
  // Arguments may hold secrets: not the command line, only what runs.
  process: ({ script }) => ({
    'process.pid': process.pid,
    'process.executable.name': basename(process.execPath),
    'process.executable.path': process.execPath,
    'process.command': script,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
  }),
  serviceinstance: () => ({ 'service.instance.id': randomUUID() }),
  container: ({ read }) => ({ 'container.id': containerId(read) }),
  kubernetes: detectKubernetes,
}

/** The attributes of where the service runs. What an outer detector knows nothing of is left out. */
export function detect(names: readonly DetectorName[], around: Surroundings): Attributes {
  const found = Object.assign({}, ...names.map(name => detectors[name](around))) as Attributes
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

function architecture(): string {
  const known: Record<string, string> = { x64: 'amd64', ia32: 'x86', arm: 'arm32' }
  return known[arch()] ?? arch()
}

/** Of cgroup v1 in its path, of v2 in the mounts that the runtime makes for every container. */
function containerId(read: Surroundings['read']): string | undefined {
  const [, fromPath] = /(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?$/m.exec(read('/proc/self/cgroup') ?? '') ?? []
  if (fromPath) return fromPath
  const mounts = read('/proc/self/mountinfo') ?? ''
  const [, fromMounts] = /\/(?:containers|overlay-containers|sandboxes)\/([0-9a-f]{64})\//.exec(mounts) ?? []
  return fromMounts
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount'

/** From the downward API's variables by their usual names, the service account's files and the kubelet's mounts. */
function detectKubernetes({ env, hostname, read }: Surroundings): Attributes {
  if (!env.KUBERNETES_SERVICE_HOST) return {}
  const given = (name: string) => env[`K8S_${name}`] || env[name] || undefined
  const [, uid] =
    /\/pods\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\//.exec(read('/proc/self/mountinfo') ?? '') ?? []
  return {
    // A pod's host name is its own name, unless it is told otherwise.
    'k8s.pod.name': given('POD_NAME') ?? hostname,
    'k8s.pod.uid': given('POD_UID') ?? uid,
    'k8s.namespace.name':
      given('NAMESPACE_NAME') ?? given('POD_NAMESPACE') ?? read(`${serviceAccount}/namespace`)?.trim(),
    'k8s.node.name': given('NODE_NAME'),
    'k8s.container.name': given('CONTAINER_NAME'),
    'k8s.deployment.name': given('DEPLOYMENT_NAME'),
    'k8s.cluster.name': given('CLUSTER_NAME'),
  }
}

/** The service as its own package.json calls it: of the script's package, or where a tool runs it, of the working directory. */
export function describePackage({ script, cwd, read }: Surroundings): { name?: string; version?: string } {
  const isTool = script?.includes(`${sep}node_modules${sep}`) ?? true
  for (let folder = isTool ? cwd : dirname(script!); ; folder = dirname(folder)) {
    const found = parse(read(join(folder, 'package.json')))
    if (typeof found?.name === 'string' && found.name !== '') {
      // The scope is the publisher's; `/` would part a namespace from the name.
      const name = found.name.replace(/^@[^/]*\//, '')
      return typeof found.version === 'string' ? { name, version: found.version } : { name }
    }
    if (dirname(folder) === folder) return {}
  }
}

function parse(text: string | undefined): { name?: unknown; version?: unknown } | undefined {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

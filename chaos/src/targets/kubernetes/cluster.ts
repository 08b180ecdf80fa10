// Loaded by the keeper too, which knows no package of ours: plain errors, which find-pods.ts puts into words.
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { KubeConfig, PortForward, Watch } from '@kubernetes/client-node'
import { type HttpMethod, RequestContext } from '@kubernetes/client-node/dist/gen/http/http.js'
import { fetch } from 'undici'

const answersWithinMs = 10_000

/** Which cluster, so that another process finds the same one. It stands in the journal: paths and names, never a credential. */
export type ClusterRef =
  | { inCluster: true }
  | { /** Files as in `KUBECONFIG`. */ kubeconfig: string; context: string; server: string }

/** No API server answers, or nothing tells where one is. */
export class NoCluster extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
  }
}

/** A call that the API server refused; `status` is the HTTP status, `reason` the server's own word for it. */
export class Refused extends Error {
  readonly status: number
  readonly reason: string
  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

export interface Cluster {
  readonly ref: ClusterRef
  /** What its errors call it. */
  readonly name: string
  /** Of the kubeconfig's context. */
  readonly namespace: string
  /** A call of the REST API. Rejects with `Refused` where the server says no, and with `NoCluster` where none answers. */
  call<T>(method: string, path: string, body?: unknown, contentType?: string): Promise<T>
  /** Follows changes from `resourceVersion` on; resolves when the stream ends, by whatever cause. */
  watch(
    path: string,
    query: Record<string, string>,
    seen: (change: string, object: unknown) => void,
    signal: AbortSignal,
  ): Promise<void>
  readonly forwarding: PortForward
}

/** The cluster of the kubeconfig (`KUBECONFIG`, `~/.kube/config`) and its current context, or the one that we run in. */
export function clusterHere(env: NodeJS.ProcessEnv): Cluster {
  const config = new KubeConfig()
  const files = env.KUBECONFIG || join(env.HOME || homedir(), '.kube', 'config')
  try {
    if (!env.KUBECONFIG && env.KUBERNETES_SERVICE_HOST) {
      config.loadFromCluster()
      return clusterOf(config, { inCluster: true })
    }
    load(config, files)
  } catch (cause) {
    throw new NoCluster(`no kubeconfig can be read from ${files}: ${(cause as Error).message}`, cause)
  }
  const context = config.getCurrentContext()
  const server = config.getCurrentCluster()?.server
  if (!server) throw new NoCluster(`${files}: the current context "${context ?? ''}" names no cluster`)
  return clusterOf(config, { kubeconfig: files, context, server })
}

/** The cluster that a journal tells of. Rejects where the context leads to another server today. */
export function clusterAgain(ref: ClusterRef): Cluster {
  const config = new KubeConfig()
  if ('inCluster' in ref) {
    config.loadFromCluster()
    return clusterOf(config, ref)
  }
  load(config, ref.kubeconfig)
  config.setCurrentContext(ref.context)
  const server = config.getCurrentCluster()?.server
  if (server !== ref.server) {
    throw new NoCluster(
      `${ref.kubeconfig}: the context "${ref.context}" leads to ${server ?? 'no cluster'}, and this was done on ${ref.server}`,
    )
  }
  return clusterOf(config, ref)
}

function load(config: KubeConfig, files: string): void {
  const [first, ...others] = files.split(delimiter).filter(file => file !== '')
  config.loadFromFile(first ?? '')
  for (const file of others) {
    const more = new KubeConfig()
    more.loadFromFile(file)
    config.mergeConfig(more, true)
  }
}

function clusterOf(config: KubeConfig, ref: ClusterRef): Cluster {
  const server = config.getCurrentCluster()?.server.replace(/\/$/, '') ?? ''
  const watcher = new Watch(config)

  async function call<T>(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<T> {
    const context = new RequestContext(`${server}${path}`, method as HttpMethod)
    context.setHeaderParam('content-type', contentType)
    const { status, text } = await answered(async () => {
      await config.applySecurityAuthentication(context)
      const response = await fetch(context.getUrl(), {
        method,
        headers: context.getHeaders(),
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(answersWithinMs),
        ...dispatching(context),
      })
      return { status: response.status, text: await response.text() }
    })
    if (status < 300) return JSON.parse(text) as T
    const { reason = '', message = text } = parsed(text)
    throw new Refused(status, reason, message)
  }

  async function answered<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request()
    } catch (cause) {
      const { cause: deeper, message } = cause as Error
      throw new NoCluster(`the API server ${server} does not answer: ${(deeper as Error)?.message ?? message}`, cause)
    }
  }

  function watch(
    path: string,
    query: Record<string, string>,
    seen: (change: string, object: unknown) => void,
    signal: AbortSignal,
  ) {
    return new Promise<void>((resolve, reject) => {
      if (signal.aborted) return resolve()
      watcher
        .watch(path, query, seen, () => resolve())
        .then(stream => {
          if (signal.aborted) stream.abort()
          else signal.addEventListener('abort', () => stream.abort(), { once: true })
        })
        .catch(reject)
    })
  }

  return {
    ref,
    name: 'inCluster' in ref ? 'this cluster' : ref.context,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    call,
    watch,
    forwarding: new PortForward(config),
  }
}

function dispatching(context: RequestContext) {
  const dispatcher = context.getDispatcher()
  return dispatcher ? { dispatcher } : {}
}

function parsed(text: string): { reason?: string; message?: string } {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

import type { Service, System } from '../../experiment/model.ts'
import { runVariable } from './run-processes.ts'

/** The ports of one instance; a service without the SDK (`ready: tcp`) has only the first. */
export interface InstancePorts {
  http: number
  admin: number | undefined
  faults: number | undefined
}

export const host = '127.0.0.1'

/** `ORDERS_URL` for `orders`, `PRICE_LIST_URL` for `price-list`. */
export const urlVariable = (service: string): string => `${service.toUpperCase().replaceAll('-', '_')}_URL`

/**
 * What an instance finds in its environment. The later wins: the user's own, then what ties the instance into the run, then
 * the service's `env`, then `--env`.
 */
export function instanceEnvironment(of: {
  system: System
  service: Service
  id: string
  ports: InstancePorts
  /** Base URLs of a service's replicas. */
  urls(service: string): string[]
  runId: string
  faultKey: string
  user: NodeJS.ProcessEnv
  override: Record<string, string>
  /** Where the runner takes spans, and sends them on to where the user wants them; undefined where nobody listens. */
  tracesUrl?: ((forwardTo: string | undefined) => string) | undefined
}): NodeJS.ProcessEnv {
  const { ports, user } = of
  const chosen = { ...user, ...of.service.local?.env, ...of.override }
  const env: NodeJS.ProcessEnv = {
    ...user,
    PORT: String(ports.http),
    HOST: host,
    ...Object.fromEntries(of.system.services.map(({ name }) => [urlVariable(name), of.urls(name).join(',')])),
    OTEL_SERVICE_NAME: of.service.name,
    OTEL_RESOURCE_ATTRIBUTES: [user.OTEL_RESOURCE_ATTRIBUTES, `service.instance.id=${of.id}`].filter(Boolean).join(','),
  }
  if (ports.admin !== undefined) {
    env.OTEL_EXPORTER_PROMETHEUS_HOST = host
    env.OTEL_EXPORTER_PROMETHEUS_PORT = String(ports.admin)
  }
  if (ports.faults !== undefined) {
    env.SHAKETABLE_FAULTS = 'on'
    env.SHAKETABLE_FAULTS_HOST = host
    env.SHAKETABLE_FAULTS_PORT = String(ports.faults)
    env.SHAKETABLE_FAULTS_KEY = of.faultKey
  }
  return {
    ...env,
    ...of.service.local?.env,
    ...of.override,
    ...tracesEnvironment(chosen, of.tracesUrl),
    [runVariable]: of.runId,
  }
}

/** Spans go to the runner, and from there to where the user wants them; where it cannot take them, nothing is changed. */
function tracesEnvironment(
  chosen: NodeJS.ProcessEnv,
  tracesUrl: Parameters<typeof instanceEnvironment>[0]['tracesUrl'],
) {
  const shared = chosen.OTEL_EXPORTER_OTLP_ENDPOINT
  const endpoint = chosen.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || (shared && `${shared.replace(/\/+$/, '')}/v1/traces`)
  const protocol = chosen.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? chosen.OTEL_EXPORTER_OTLP_PROTOCOL
  const isOtlp = (chosen.OTEL_TRACES_EXPORTER ?? 'otlp') === 'otlp'
  if (!tracesUrl || !isOtlp || (endpoint && protocol === 'grpc')) {
    // Nobody listens for spans unless the user says so; they are still made, for logs, exemplars and propagation.
    return endpoint || chosen.OTEL_TRACES_EXPORTER ? {} : { OTEL_TRACES_EXPORTER: 'none' }
  }
  return {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: tracesUrl(endpoint),
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: (endpoint && protocol) || 'http/json',
    // What is still on the way when the run ends cannot be judged.
    OTEL_BSP_SCHEDULE_DELAY: chosen.OTEL_BSP_SCHEDULE_DELAY ?? '500',
  }
}

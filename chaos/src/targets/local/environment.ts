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
  // Nobody listens for spans unless the user says so; they are still made, for logs, exemplars and propagation.
  const sendsSpans = chosen.OTEL_EXPORTER_OTLP_ENDPOINT || chosen.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
  if (!sendsSpans) env.OTEL_TRACES_EXPORTER ??= 'none'
  return { ...env, ...of.service.local?.env, ...of.override, [runVariable]: of.runId }
}

import { createRequire } from 'node:module'
import { logsFromProtobuf, type ReceivedLog } from './otlp-logs.ts'
import { metricsFromProtobuf, type ReceivedMetric } from './otlp-metrics.ts'
import { fromProtobuf, type Received } from './otlp-receiver.ts'

/** grpc-js as it comes with OpenTelemetry's exporter; the SDK itself does not depend on it. */
const resolve = (from: string, name: string) => createRequire(from).resolve(name)
const exporter = resolve(
  resolve(import.meta.filename, '@opentelemetry/sdk-node'),
  '@opentelemetry/exporter-trace-otlp-grpc',
)
const base = resolve(exporter, '@opentelemetry/otlp-grpc-exporter-base')
const grpc = createRequire(base)('@grpc/grpc-js') as Grpc

interface Grpc {
  Metadata: new () => { set(name: string, value: Buffer): void }
  Server: new () => {
    addService(definition: object, handlers: Record<string, Handler>): void
    bindAsync(address: string, credentials: unknown, done: (error: Error | null, port: number) => void): void
    forceShutdown(): void
  }
  ServerCredentials: {
    createInsecure(): unknown
    createSsl(ca: Buffer, pairs: { private_key: Buffer; cert_chain: Buffer }[], askForCertificate: boolean): unknown
  }
}
type Handler = (
  call: { request: Buffer; metadata: { get(name: string): unknown[] } },
  done: (error: { code: number; message: string; metadata?: object } | null, answer?: Buffer) => void,
) => void

export interface GrpcReceiver {
  url: string
  spans: Received[]
  logs: ReceivedLog[]
  /** What the last call with metrics held. */
  metrics: ReceivedMetric[]
  /** The `authorization` of each call. */
  authorizations: unknown[]
  /** A gRPC status, 0 being success, or `hang` for no answer at all. */
  answer: number | 'hang'
  /** Of an answer that is no success: a `google.rpc.Status` with details. */
  details: Buffer | undefined
  /** When each call came, in ms. */
  calledAt: number[]
  /** What a call that succeeds is answered. */
  message: Buffer
  close(): void
}

/** A real gRPC server with OTLP's services for traces, logs and metrics. */
export async function startGrpcReceiver(tls?: { key: string; cert: string; ca: string }): Promise<GrpcReceiver> {
  const server = new grpc.Server()
  const bytes = (value: Buffer) => value
  const method = (path: string) => ({
    path: `/opentelemetry.proto.collector.${path}/Export`,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  })
  const handle =
    (take: (request: Buffer) => void): Handler =>
    ({ request, metadata }, done) => {
      receiver.calledAt.push(performance.now())
      receiver.authorizations.push(metadata.get('authorization')[0])
      if (receiver.answer === 'hang') return
      if (receiver.answer !== 0) {
        const details = new grpc.Metadata()
        if (receiver.details) details.set('grpc-status-details-bin', receiver.details)
        return done({ code: receiver.answer, message: 'as the test says', metadata: details })
      }
      take(request)
      done(null, receiver.message)
    }
  server.addService(
    {
      traces: method('trace.v1.TraceService'),
      logs: method('logs.v1.LogsService'),
      metrics: method('metrics.v1.MetricsService'),
    },
    {
      traces: handle(request => receiver.spans.push(...fromProtobuf(request))),
      logs: handle(request => {
        receiver.logs.push(...logsFromProtobuf(request))
      }),
      metrics: handle(request => {
        receiver.metrics = metricsFromProtobuf(request)
      }),
    },
  )
  const credentials = tls
    ? grpc.ServerCredentials.createSsl(
        Buffer.from(tls.ca),
        [{ private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) }],
        true,
      )
    : grpc.ServerCredentials.createInsecure()
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, port: number) => (error ? reject(error) : resolve(port))
    server.bindAsync('127.0.0.1:0', credentials, bound)
  })
  const receiver: GrpcReceiver = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    spans: [],
    logs: [],
    metrics: [],
    authorizations: [],
    answer: 0,
    details: undefined,
    calledAt: [],
    message: Buffer.alloc(0),
    close: () => server.forceShutdown(),
  }
  return receiver
}

import type { TextMapPropagator } from '@opentelemetry/api'
import type { Notice } from '../notice.ts'
import type { Options } from '../options.ts'
import { OtlpExporter } from '../otlp/http.ts'
import type { OtlpOptions } from '../otlp/options.ts'
import { OwnExporter, type SpanExporter } from '../otlp/own-exporter.ts'
import { type ExportDestination, ExportQueue } from '../otlp/queue.ts'
import type { Redaction } from '../redaction.ts'
import { ServiceResource } from '../resource.ts'
import { ConsoleDestination } from './console-destination.ts'
import { encodeJson } from './otlp-json.ts'
import { encodeProtobuf, SpanWriter } from './otlp-protobuf.ts'
import { SpanPipeline, type SpanProcessor } from './pipeline.ts'
import { type Sampler, samplerOf } from './sampler.ts'
import type { RecordedSpan } from './span.ts'
import type { Sampling } from './tracer.ts'
import { Undecided } from './undecided.ts'

/** OpenTelemetry pieces of the user's own. */
export interface OwnParts {
  spanProcessors: SpanProcessor[]
  spanSampler: Sampler | undefined
  spanExporter: SpanExporter | undefined
  textMapPropagator: TextMapPropagator | undefined
}

/** The way of every span from its end to where the options want it. */
export async function openPipeline(
  options: Options,
  redaction: Redaction,
  own: OwnParts,
  notice: Notice,
): Promise<SpanPipeline> {
  const destination = own.spanExporter
    ? new OwnExporter(own.spanExporter)
    : options.tracesExporter === 'otlp'
      ? await openOtlp(options.otlp, notice)
      : options.tracesExporter === 'console'
        ? new ConsoleDestination()
        : undefined
  const queue = destination && new ExportQueue(destination, options.queue, notice)
  const resource = new ServiceResource(options.resourceAttributes)
  return new SpanPipeline({ resource, limits: options.limits, redaction }, queue, own.spanProcessors, notice)
}

export function samplingOf(options: Options, own: OwnParts, pipeline: SpanPipeline): Sampling {
  const decide = samplerOf(options.sampler, options.samplerRatio)
  if (own.spanSampler || options.sampler !== 'errors_and_slow') return { decide, own: own.spanSampler }
  return { decide, undecided: new Undecided(options.keep, pipeline) }
}

/** gRPC brings a library of its own, which is loaded only for it. */
async function openOtlp(otlp: OtlpOptions, notice: Notice): Promise<ExportDestination<RecordedSpan> | undefined> {
  if (otlp.protocol === 'http/json') return new OtlpExporter(otlp, encodeJson)
  const writer = new SpanWriter()
  if (otlp.protocol === 'http/protobuf') return new OtlpExporter(otlp, encodeProtobuf, writer.write)
  try {
    const { GrpcDestination } = await import('../otlp/grpc.ts')
    return new GrpcDestination(otlp, 'traces', encodeProtobuf, writer.write)
  } catch (error) {
    notice(`spans are not sent, the grpc exporter cannot be opened: ${String(error)}`)
    return undefined
  }
}

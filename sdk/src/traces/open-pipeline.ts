import type { TextMapPropagator } from '@opentelemetry/api'
import type { Notice } from '../notice.ts'
import type { Options, OtlpOptions } from '../options.ts'
import type { Redaction } from '../redaction.ts'
import { ConsoleDestination, OwnExporter, type SpanExporter } from './destinations.ts'
import { openHttpExporter } from './otlp-exporter.ts'
import { SpanPipeline, type SpanProcessor } from './pipeline.ts'
import { type ExportDestination, ExportQueue } from './queue.ts'
import { ServiceResource } from './resource.ts'
import { type Sampler, samplerOf } from './sampler.ts'
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
async function openOtlp(otlp: OtlpOptions, notice: Notice): Promise<ExportDestination | undefined> {
  if (otlp.protocol !== 'grpc') return openHttpExporter(otlp)
  try {
    const { openGrpcExporter } = await import('./otlp-grpc.ts')
    return openGrpcExporter(otlp)
  } catch (error) {
    notice(`spans are not sent, the grpc exporter cannot be opened: ${String(error)}`)
    return undefined
  }
}

import { ShaketableError } from '@shaketable/slo'
import type { TraceReceiver } from '../observe/trace-receiver.ts'
import type { Clock } from '../world.ts'

/** An SDK sends a batch every 5 s unless told otherwise, and a collector between them may wait as well. */
const withinMs = 20_000
const lookEveryMs = 250

/** Resolves once a span has come from a system under load; rejects with `SHAKETABLE_NO_TRACES`, or with the signal's reason. */
export async function awaitTraces(receiver: TraceReceiver, clock: Clock, signal: AbortSignal): Promise<void> {
  const start = clock.now()
  while (!receiver.hasSpans) {
    if (clock.now() - start > withinMs) {
      throw new ShaketableError(
        'SHAKETABLE_NO_TRACES',
        `no span came ${receiver.openUrl ? `to ${receiver.openUrl} ` : ''}within ${withinMs / 1000} s of load, so no fault was injected: ` +
          'have the services, or their collector, send OTLP over HTTP there (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)',
      )
    }
    await clock.sleep(lookEveryMs, signal)
  }
}

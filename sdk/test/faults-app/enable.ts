import { enableFaults } from '../../src/faults/enable.ts'

/** `--import` fixture: faults without the rest of the SDK. Tells its parent what happened over the IPC channel. */
const { port } = enableFaults({
  host: '127.0.0.1',
  port: Number(process.env.CONTROL_PORT ?? 0),
  key: process.env.CONTROL_KEY ?? '',
  serviceName: 'app',
  warn: line => process.send?.({ warn: line }),
  count: (id, kind) => process.send?.({ count: `${id} ${kind}` }),
})
port.then(control => process.send?.({ control: control ?? null }))

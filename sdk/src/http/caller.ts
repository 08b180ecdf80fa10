import type { Socket } from 'node:net'
import type { Attributes } from '@opentelemetry/api'
import { attributeBytes } from '../traces/description.ts'
import { hostAndPort } from './method.ts'

const caller = Symbol('shaketable.caller')

type Known = Socket & { [caller]?: Caller }

/** Who asks whom: nearly always the same for all requests of a connection. */
export class Caller {
  readonly attributes: Attributes
  readonly #authority: string | undefined
  readonly #version: string
  #bytes: Uint8Array | undefined

  constructor(socket: Socket, scheme: string, version: string, authority: string | undefined) {
    this.#authority = authority
    this.#version = version
    const attributes: Attributes = { 'url.scheme': scheme, 'network.protocol.version': version }
    const { remoteAddress: address, remotePort: port } = socket
    // There is none where the connection is gone already, or is no network's.
    if (address !== undefined) {
      attributes['client.address'] = address
      attributes['network.peer.address'] = address
      if (port !== undefined) attributes['network.peer.port'] = port
    }
    if (authority !== undefined) {
      const { host, port } = hostAndPort(authority, scheme)
      attributes['server.address'] = host
      attributes['server.port'] = port
    }
    this.attributes = attributes
  }

  get bytes(): Uint8Array {
    this.#bytes ??= attributeBytes(this.attributes)
    return this.#bytes
  }

  static of(socket: Known, scheme: string, version: string, authority: string | undefined): Caller {
    const known = socket[caller]
    if (known && known.#authority === authority && known.#version === version) return known
    const made = new Caller(socket, scheme, version, authority)
    socket[caller] = made
    return made
  }
}

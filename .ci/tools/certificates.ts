import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface Identity {
  key: string
  cert: string
}

interface Issuer extends Identity {
  privateKey: KeyObject
  name: Buffer
}

const tlv = (tag: number, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts)
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
const sequence = (...parts: Buffer[]) => tlv(0x30, ...parts)
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'))
const bits = (bytes: Buffer) => tlv(0x03, Buffer.concat([Buffer.from([0]), bytes]))
const time = (at: Date) => tlv(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`))
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
const commonName = (name: string) => sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(name)))))
const extension = (id: string, value: Buffer) => sequence(oid(id), tlv(0x04, value))
const isAuthority = extension('551d13', sequence(tlv(0x01, Buffer.from([0xff]))))
const forAddress = (ipv4: string) => extension('551d11', sequence(tlv(0x87, Buffer.from(ipv4.split('.').map(Number)))))

/** A certificate of an hour's life, of its own authority or of another's. Node reads certificates, but makes none. */
export function certify(name: string, issuer?: Issuer, ipv4 = '127.0.0.1'): Issuer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = commonName(name)
  const hour = 3_600_000
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    issuer?.name ?? subject,
    sequence(time(new Date(Date.now() - hour)), time(new Date(Date.now() + hour))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(issuer ? forAddress(ipv4) : isAuthority)),
  )
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey)
  const der = sequence(body, ecdsaWithSha256, bits(signature))
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n')
  return {
    privateKey,
    name: subject,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  }
}

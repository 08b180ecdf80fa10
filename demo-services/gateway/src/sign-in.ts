import { randomBytes } from 'node:crypto'
import { Refusal } from '@shop/kit/serve'
import type { RequestHandler } from 'express'
import { jwtVerify, SignJWT } from 'jose'

const secret = process.env.JWT_SECRET ? new TextEncoder().encode(process.env.JWT_SECRET) : randomBytes(32)

/** A token for an hour. The shop takes everybody at their word: there are no passwords in a demo. */
export const tokenFor = (user: string): Promise<string> =>
  new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(user).setExpirationTime('1h').sign(secret)

/** Lets in who has a token; `response.locals.user` is who it is. */
export const signedIn: RequestHandler = async (request, response, next) => {
  const token = request.get('authorization')?.match(/^Bearer (.+)$/i)?.[1]
  if (!token) throw new Refusal(401, 'expected the header authorization: Bearer <token>; POST /login gives one')
  const verified = await jwtVerify(token, secret, { algorithms: ['HS256'] }).catch(() => undefined)
  if (!verified?.payload.sub) throw new Refusal(401, 'the token is not valid')
  response.locals.user = verified.payload.sub
  next()
}

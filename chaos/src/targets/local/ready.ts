import { get } from 'node:http'
import { connect } from 'node:net'
import { host } from './environment.ts'

const answerWithinMs = 1000

/** Whether an instance is ready at this moment: its readiness probe answers 200, or, without the SDK, its port accepts. */
export function isReady(probe: { url: string } | { tcpPort: number; host?: string }): Promise<boolean> {
  return 'url' in probe ? answers(probe.url) : accepts(probe.tcpPort, probe.host)
}

function answers(url: string): Promise<boolean> {
  return new Promise(resolve => {
    const request = get(url, { agent: false, timeout: answerWithinMs }, response => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
    request.on('close', () => resolve(false))
  })
}

function accepts(port: number, at = host): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: at, port, timeout: answerWithinMs })
    const settle = (ready: boolean) => {
      socket.destroy()
      resolve(ready)
    }
    socket.on('connect', () => settle(true))
    socket.on('timeout', () => settle(false))
    socket.on('error', () => settle(false))
  })
}

// The doctor has this run first in every Node process of the app that it examines, with the SDK or without it, and in any
// version of Node: so it is plain CommonJS, and it only looks. Each process appends what it sees to a file of its own, at
// once, so that a crash loses nothing and no channel keeps the app alive.
const { appendFileSync } = require('node:fs')
const { isMainThread } = require('node:worker_threads')

const folder = process.env.SHAKETABLE_DOCTOR
if (folder && isMainThread) look()

function look() {
  const write = seen => {
    try {
      appendFileSync(`${folder}/${process.pid}.jsonl`, `${JSON.stringify(seen)}\n`)
    } catch {
      // The doctor has gone.
    }
  }
  const { argv, execArgv, env } = process
  write({
    event: 'process',
    nodeVersion: process.versions.node,
    script: argv[1] || '',
    flags: [...execArgv, env.NODE_OPTIONS || ''].join(' '),
    disabled: /^\s*true\s*$/i.test(env.OTEL_SDK_DISABLED || ''),
  })
  try {
    require('node:diagnostics_channel').subscribe('tracing:net.server.listen:asyncEnd', ({ server }) =>
      write({ event: 'listens', port: server.address()?.port }),
    )
  } catch {
    // An old Node.
  }
  const { registerHooks } = require('node:module')
  if (!registerHooks) return
  const packages = new Set()
  registerHooks({
    load(url, context, next) {
      const found = /^file:.*\/node_modules\/(@[^/]+\/)?[^/]+(?=\/)/.exec(url)
      if (found && !packages.has(found[0])) {
        packages.add(found[0])
        write({ event: 'package', url: found[0] })
      }
      return next(url, context)
    },
  })
}

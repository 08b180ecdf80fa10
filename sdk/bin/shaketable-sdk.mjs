#!/usr/bin/env node
// The command. Installed it runs the built files; in a checkout it runs the sources, and so does the app that it starts.
import module from 'node:module'

const installed = import.meta.url.includes('/node_modules/')
if (installed) {
  await import('../dist/doctor/main.js')
} else {
  const condition = '@shaketable/source'
  module.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, condition] }),
  })
  process.env.NODE_OPTIONS = [process.env.NODE_OPTIONS, `--conditions=${condition}`].filter(Boolean).join(' ')
  await import('../src/doctor/main.ts')
}

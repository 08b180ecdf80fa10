#!/usr/bin/env node
// The command. Installed it runs the built files; in a checkout it runs the sources, and so do the processes it starts.
// Not by name: an old Node has no registerHooks, and would say so before we can say what is needed.
import module from 'node:module'

const [major, minor, patch] = process.versions.node.split('.').map(Number)
const atLeast = (a, b) => minor > a || (minor === a && patch >= b)
if (!((major === 22 && atLeast(22, 3)) || (major === 24 && atLeast(11, 1)) || major >= 26)) {
  console.error(
    `shaketable needs Node ^22.22.3 || ^24.11.1 || >=26, and this is ${process.versions.node}.\n` +
      '  hint: start it through npm in a project that brings a newer Node, or install Node 24.',
  )
  process.exit(2)
}

const installed = import.meta.url.includes('/node_modules/')
if (installed) {
  await import('../dist/cli.js')
} else {
  const condition = '@shaketable/source'
  module.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, condition] }),
  })
  process.env.NODE_OPTIONS = [process.env.NODE_OPTIONS, `--conditions=${condition}`].filter(Boolean).join(' ')
  await import('../src/cli.ts')
}

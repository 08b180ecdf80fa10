// Refuses a Node that cannot run this house, and names the mend. Runs on any Node, so it uses none of the newer syntax.
const [major, minor, patch] = process.versions.node.split('.').map(Number)
const atLeast = (a, b) => minor > a || (minor === a && patch >= b)
const fits = (major === 22 && atLeast(22, 3)) || (major === 24 && atLeast(11, 1)) || major >= 26

if (!fits) {
  console.error(`shaketable: Node ${process.versions.node} is too old: this house needs ^22.22.3 || ^24.11.1 || >=26.
  It brings Node 24 along as an optional package for Linux on x64 and arm64, and that package is not installed here.
  Run "npm ci --include=optional" (no --omit=optional), and start things through npm ("npm start", "npm test").
  On another system install Node 24 by its own means first.`)
  process.exit(1)
}

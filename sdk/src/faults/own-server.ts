/** Marks the fault-control server, so that no fault can take away its own control. */
export const ownServer: unique symbol = Symbol('shaketable.own-server')

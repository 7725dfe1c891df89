/** Market of every bench: the engine's default, whose schema the roles of a fresh folder use. */
export const MARKET = 'market_0';

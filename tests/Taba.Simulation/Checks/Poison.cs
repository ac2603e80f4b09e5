namespace Taba.Simulation.Checks;

/// <summary>A sample that really kills: at one step, whoever computes it.</summary>
/// <param name="Kills">Its silo; otherwise its engine.</param>
sealed record Poison(string StageKey, int Row, int Step, bool Kills);

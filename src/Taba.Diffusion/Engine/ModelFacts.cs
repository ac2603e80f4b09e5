namespace Taba.Diffusion.Engine;

/// <summary>What of a model decides whether a trajectory fits it.</summary>
sealed record ModelFacts(StateShape Shape, int? ClassCount);

namespace Taba.Diffusion.Conditions;

/// <summary>The prompts of consecutive rows, each different one once, so that it is encoded once.</summary>
/// <param name="Distinct">The prompts, in the order in which rows first have them.</param>
/// <param name="IndexOfRow">For each row of the range its place in <paramref name="Distinct"/>.</param>
public sealed record PromptRange(IReadOnlyList<string> Distinct, IReadOnlyList<int> IndexOfRow);

namespace Taba.Diffusion.Conditions;

/// <summary>Which prompts are meant, as a user says it.</summary>
public sealed record PromptDraw
{
    /// <summary>
    /// <c>dataset</c>, <c>null</c> (the empty prompt), <c>hobbit</c>, or the path of a prompt file (<see cref="PromptFile"/>), of a
    /// parquet file or of a folder of such. The default value is <c>dataset</c>. A file with one of the names is written <c>./hobbit</c>.
    /// </summary>
    public string Source { get; init; } = PromptSource.Dataset;

    /// <summary>The path of the dataset, for the source <c>dataset</c>.</summary>
    public string? DatasetPath { get; init; }

    /// <summary>Seed of a draw from a dataset. The default value is 10.</summary>
    public long CondSeed { get; init; } = 10;

    /// <summary>
    /// The number of prompts that are drawn; of a prompt file the first ones are taken. The default value is null: all of a prompt file.
    /// A dataset needs a number.
    /// </summary>
    public int? Prompts { get; init; }

    /// <summary>Consecutive rows that share a prompt. The default value is 4.</summary>
    public int NoisesPerPrompt { get; init; } = 4;
}

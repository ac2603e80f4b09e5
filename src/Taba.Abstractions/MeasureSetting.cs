using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Orleans;

namespace Taba;

/// <summary>
/// What a stage measures of a run. A row of the stage is a block of the run's rows, one sixteenth of them: the groups that intervals are
/// told by. Its result is what the analyses keep of the block.
/// </summary>
/// <param name="Analyses">Their names, in order; none where features of pictures are kept: <see cref="KeepsFeatures"/>.</param>
/// <param name="Tensors">What they are given.</param>
/// <param name="Rows">The run's rows.</param>
/// <param name="OfAll">Whether each block is compared with all rows.</param>
[GenerateSerializer, Immutable, Alias("taba.MeasureSetting")]
public sealed record MeasureSetting(
    ImmutableArray<string> Analyses, ImmutableArray<MeasuredTensor> Tensors, RowRange Rows, bool OfAll)
{
    /// <summary>Raised when what is kept of a block is written in another way: results of older versions are then not reused.</summary>
    public const int FormatVersion = 1;

    /// <summary>Blocks of a run.</summary>
    public const int Blocks = 16;

    /// <summary>
    /// Runs of fewer rows are measured where their folder is written: that takes a moment, and what analyses keep of a block is then not
    /// small beside its rows.
    /// </summary>
    public const int FewestRows = 2048;

    /// <summary>All rows of a stage that measures.</summary>
    public static readonly RowRange AllBlocks = new(0, Blocks);

    /// <summary>The networks that measure; default where none does, and in what was written before there were any.</summary>
    [Id(10), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] public ImmutableArray<FeatureFile> Features { get; init; }

    /// <summary>What the rows were to show; null where that is not compared.</summary>
    [Id(11)] public PromptRows? Prompts { get; init; }

    /// <summary>
    /// Whether what is kept are the features themselves, that the only network gives of the only tensor: of a run's pictures or of a
    /// reference's. Whoever compares sets puts them together.
    /// </summary>
    public bool KeepsFeatures => Analyses.IsEmpty;

    /// <summary>The role of pictures that are no run's.</summary>
    public const string ReferenceRole = "reference";

    /// <summary>Whether features of a reference are kept, which are read from the user's files.</summary>
    public bool IsOfReference => KeepsFeatures && Tensors[0].Role == ReferenceRole;

    /// <summary>The run's rows of a block.</summary>
    public RowRange RowsOf(int block) => new(Rows.Start + Start(block), Rows.Start + Start(block + 1));

    /// <summary>The run's rows that a block needs.</summary>
    public RowRange Needs(int block) => OfAll ? Rows : RowsOf(block);

    int Start(int block) => (int)(((long)block * Rows.Count + Blocks - 1) / Blocks);
}

/// <summary>A tensor that is measured.</summary>
/// <param name="Role">What it is in the run.</param>
/// <param name="Name">Its name in the run's folder.</param>
/// <param name="Rows">Where its rows come from.</param>
/// <param name="Shape">Of a row.</param>
/// <param name="Dtype">The type that a stage's rows have in the run's folder.</param>
[GenerateSerializer, Immutable, Alias("taba.MeasuredTensor")]
public sealed record MeasuredTensor(string Role, string Name, RowsRef Rows, StateShape Shape, Dtype Dtype);

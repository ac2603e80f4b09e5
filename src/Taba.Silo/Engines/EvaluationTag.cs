namespace Taba.Silo.Engines;

/// <summary>Names a row of a forward pass: which stage, which sample.</summary>
sealed record EvaluationTag(string StageKey, int Sample)
{
    public override string ToString() => $"sample {Sample} of stage {StageKey}";
}

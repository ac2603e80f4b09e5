namespace Taba.Silo.Engines;

/// <summary>Names a row of a forward pass: which stage, which sample.</summary>
/// <param name="Part">The part that counts what is begun of it.</param>
sealed record EvaluationTag(string StageKey, int Sample, ActivePart? Part = null)
{
    public override string ToString() => $"sample {Sample} of stage {StageKey}";
}

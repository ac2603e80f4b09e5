namespace Taba.Parity.Tests;

/// <summary>The largest difference of each tensor of a run from a recurrence.</summary>
sealed class GaussianComparison(string folder, int elements)
{
    readonly Dictionary<string, double> _worst = [];

    /// <summary>Compares the result of a stage: the state after its last step.</summary>
    public void Results(string name, GaussianRecurrence.Step[][] steps)
    {
        var actual = CommandLineTensor.Read(folder, name);
        Assert.Equal([GaussianRuns.Samples, GaussianRuns.Channels, GaussianRuns.Side, GaussianRuns.Side], actual.Shape);
        for (var element = 0; element < elements; element++)
            Note(name, actual.Values[element], steps[element][^1].X);
    }

    /// <summary>Compares the result of a stage, and what it kept of every step.</summary>
    public void All(string name, GaussianRecurrence.Step[][] steps)
    {
        Results(name, steps);
        Kept($"all_t_{name}", step => step.X);
        Kept($"all_t_eps_{name}", step => step.Eps);
        Kept($"all_t_pred_xstart_{name}", step => step.PredXstart);

        void Kept(string kept, Func<GaussianRecurrence.Step, double?> part)
        {
            var actual = CommandLineTensor.Read(folder, kept);
            Assert.Equal(
                [steps[0].Length, GaussianRuns.Samples, GaussianRuns.Channels, GaussianRuns.Side, GaussianRuns.Side], actual.Shape);
            for (var k = 0; k < steps[0].Length; k++)
            {
                for (var element = 0; element < elements; element++)
                    // Where the state was given there is no prediction: the file is blank.
                    Note(kept, actual.Values[(k * elements) + element], part(steps[element][k]) ?? 0);
            }
        }
    }

    /// <summary>Requires that nothing differs by more.</summary>
    public void Require(double tolerance) =>
        Assert.All(
            _worst, tensor => Assert.True(tensor.Value <= tolerance, $"{tensor.Key} differs by {tensor.Value:g3} from the recurrence."));

    public override string ToString() => string.Join(", ", _worst.Select(tensor => $"{tensor.Key} {tensor.Value:g2}"));

    void Note(string name, float actual, double expected) => _worst[name] = Math.Max(
        _worst.GetValueOrDefault(name), float.IsFinite(actual) ? Math.Abs(actual - expected) : double.PositiveInfinity);
}

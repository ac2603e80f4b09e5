using System.Text.RegularExpressions;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>
/// Checks a plan before a cluster takes it in: names become keys of grains and parts of paths, and a key promises numbers.
/// </summary>
public static partial class PlanCheck
{
    /// <param name="plan">A plan that came over a gateway.</param>
    /// <param name="sweepId">Key of the grain that it was sent to.</param>
    /// <param name="silos">The numerics versions of the cluster's silos; empty while none has told its own.</param>
    /// <exception cref="BadInputException">
    /// A name could lead out of a folder, a key is not that of its stage, or the cluster does not compute such keys.
    /// </exception>
    public static void Require(SweepPlan plan, string sweepId, params IReadOnlyCollection<int> silos)
    {
        if (plan.SweepId != sweepId || !Id().IsMatch(sweepId))
            throw new BadInputException(
                $"The plan's sweep id '{Shown(plan.SweepId)}' is not a sweep's: letters, digits, dots, dashes and underscores are, at "
                + "most 80.");
        if (plan.Version is { } planner && !silos.Append(ProgramVersion.Own.Numerics).Contains(planner.Numerics))
            throw new BadInputException(
                $"The plan was made by Taba {Shown(planner.Build)}, numerics {planner.Numerics}, and the cluster computes numerics "
                + $"{string.Join(", ", silos.Append(ProgramVersion.Own.Numerics).Distinct().Order())}: use a client of the cluster's "
                + $"version ({ProgramVersion.Own.Build}).");
        RequireName(plan);
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var stage in plan.Stages)
        {
            var key = StageKey.Of(stage.Spec, plan.Numerics);
            if (stage.Key != key)
                throw new BadInputException(
                    $"The plan calls a stage '{Shown(stage.Key)}' whose key is {key} for {ProgramVersion.Own}: plan the sweep again with "
                    + "this version of Taba.");
            if (!keys.Add(key))
                throw new BadInputException($"The plan has stage {key} twice: plan the sweep again with this version of Taba.");
        }
        foreach (var run in plan.Runs)
        {
            if (!FileName().IsMatch(run.Slug))
                throw new BadInputException(
                    $"The plan's run '{Shown(run.Slug)}' cannot name a folder: a name without slashes that does not begin with a dot can.");
            if (run.Tensors.FirstOrDefault(t => !FileName().IsMatch(t.Name)) is { } tensor)
                throw new BadInputException(
                    $"The plan's tensor '{Shown(tensor.Name)}' cannot name a file: a name without slashes that does not begin with a "
                    + "dot can.");
        }
    }

    /// <exception cref="BadInputException">The sweep's name could lead out of a folder.</exception>
    public static void RequireName(SweepPlan plan)
    {
        if (!FileName().IsMatch(plan.Name))
            throw new BadInputException(
                $"The sweep's name '{Shown(plan.Name)}' cannot name a folder: a name without slashes that does not begin with a dot can.");
    }

    /// <summary>Of text from outside as much as a message takes.</summary>
    static string Shown(string text) => Unprintable().Replace(text.Length <= 80 ? text : $"{text[..80]}...", "?");

    [GeneratedRegex(@"\A[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}\z")]
    private static partial Regex Id();

    [GeneratedRegex(@"\A[^./\\\p{C}][^/\\\p{C}]{0,199}\z")]
    private static partial Regex FileName();

    [GeneratedRegex(@"\p{C}")]
    private static partial Regex Unprintable();
}

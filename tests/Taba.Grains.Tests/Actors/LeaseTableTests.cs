using Microsoft.Extensions.Time.Testing;
using CsCheck;
using Taba.Grains.Actors;
using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Actors;

/// <summary>The leases of a stage while it is active.</summary>
public sealed class LeaseTableTests
{
    static readonly Gen<RowRange> s_range = Gen.Select(
        Gen.Int[0, 40], Gen.Int[1, 6], (cell, cells) => new RowRange(cell * 8, (cell + cells) * 8));

    static readonly Gen<(int What, RowRange Rows)[]> s_story = Gen.Select(Gen.Int[0, 3], s_range).Array[0, 60];

    [Fact]
    public void Taken_WhateverHappens_IsWhatIsOutAndWhatIsDone() => s_story.Sample(story =>
    {
        var table = new LeaseTable(new(), TimeProvider.System);
        var held = new List<Lease>();
        foreach (var (what, rows) in story)
        {
            switch (what)
            {
                case 0 when table.Rows.Intersect(rows).IsEmpty:
                    held.Add(new(new("s", rows.Start, held.Count, Guid.NewGuid()), rows, "worker", default));
                    table.Add([held[^1]]);
                    break;
                case 1 when held.Count > 0:
                    table.Remove(held[rows.Start % held.Count]);
                    held.RemoveAt(rows.Start % held.Count);
                    break;
                case 2:
                    table.Done = table.Done.Add(rows);
                    break;
                case 3:
                    table.Done = table.Done.Subtract(rows);
                    break;
            }
            Assert.Equal(RowSet.Of([.. held.Select(l => l.Rows)]), table.Rows);
            Assert.Equal(table.Rows.Union(table.Done), table.Taken);
        }
    });

    [Fact]
    public void Ended_PartThatMakesNoEvaluations_IsNotStuck()
    {
        var time = new FakeTimeProvider();
        foreach (var watches in (bool[])[true, false])
        {
            var table = new LeaseTable(new(), time) { WatchesProgress = watches };
            Lease lease = new(new("s", 0, 1, Guid.NewGuid()), new(0, 1), "worker", default);
            table.Add([lease]);
            for (var renewal = 0; renewal < 200; renewal++)
            {
                time.Advance(TimeSpan.FromSeconds(10));
                table.Renew(lease, evaluations: 0);
            }
            Assert.Equal(watches ? [LeaseEnd.Stuck] : [], table.Ended(_ => true).Select(e => e.How));
        }
    }
}
